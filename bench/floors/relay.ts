/** The floor of chatting: socket.io passes messages on and stores nothing. */
import { createServer } from 'node:http'
import { Server } from 'socket.io'

const http = createServer()
const compressed = process.argv[2] === 'compressed'
const io = new Server(http, {
  maxHttpBufferSize: 8 * 1024 * 1024,
  perMessageDeflate: compressed && { threshold: 0 },
})

interface DataMsg {
  userId: unknown
  msgType: number
  message: string
}
type Acknowledge = (answer: object) => void

io.on('connection', (socket) => {
  socket.on('login', (userId: string, groupId?: string | Acknowledge, ack?: Acknowledge) => {
    void socket.join(userId)
    if (typeof groupId === 'string') void socket.join(groupId)
    const acknowledge = typeof groupId === 'function' ? groupId : ack
    acknowledge?.({ status: 200 })
  })
  socket.on('private_chat', (data: DataMsg, from: string, to: string, ack?: Acknowledge) => {
    io.to(to).emit('private_chat', {
      userId: data.userId,
      msgType: data.msgType,
      message: data.message,
      time: new Date(),
      fromId: from,
      toId: to,
    })
    io.to(to).emit('unread_message', from)
    ack?.({ status: 200 })
  })
  socket.on('group_chat', (data: DataMsg, from: string, to: string, ack?: Acknowledge) => {
    socket.to(to).emit('group_chat', {
      userId: data.userId,
      groupInfo: { _id: to, groupName: '群', imgUrl: '/group_pic.png' },
      msgType: data.msgType,
      message: data.message,
      time: new Date(),
      fromId: from,
      toId: to,
    })
    socket.to(to).emit('unread_message', to)
    ack?.({ status: 200 })
  })
})

http.listen(0, '127.0.0.1', () => {
  const { port } = http.address() as { port: number }
  process.stdout.write(`HTTP       http://127.0.0.1:${port}\n`)
})
